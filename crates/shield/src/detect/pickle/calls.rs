//! What loading an object may call.

/// What is to be thought of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    /// It runs, fetches, opens or deletes something.
    Harmful,
    /// Alone it does nothing; with the right names it reaches everything.
    Doubtful,
    /// It makes a function out of code.
    Code,
    /// Usual, or unknown and nobody's tool.
    Known,
}

/// By the module and what is called of it.
pub(super) fn judge(module: &str, name: &str) -> Judgement {
    let first = name.split('.').next().unwrap_or(name);
    let top = module.split('.').next().unwrap_or(module);
    if matches!(module, "builtins" | "__builtin__" | "__builtins__") {
        return match first {
            "eval" | "exec" | "execfile" | "compile" | "open" | "__import__" | "input"
            | "breakpoint" | "apply" | "delattr" | "setattr" | "globals" | "locals" | "vars"
            | "memoryview" | "help" | "exit" | "quit" | "file" | "reload" => Judgement::Harmful,
            "getattr" | "map" | "filter" | "type" | "__build_class__" | "next" | "iter" => {
                Judgement::Doubtful
            }
            _ => Judgement::Known,
        };
    }
    if MODULES.contains(&module) || TOPS.contains(&top) || CALLS.contains(&(module, first)) {
        return Judgement::Harmful;
    }
    // `getattr` by another road: a path through a module that is allowed.
    let parts = name.split('.').chain(module.split('.'));
    let odd = [
        "system",
        "popen",
        "__globals__",
        "__builtins__",
        "__subclasses__",
        "os",
        "sys",
        "subprocess",
    ];
    if name.contains('.') && parts.clone().any(|it| odd.contains(&it)) {
        return Judgement::Harmful;
    }
    match (top, first) {
        ("operator" | "_operator", "attrgetter" | "methodcaller") => Judgement::Doubtful,
        ("cloudpickle" | "dill", _) | ("types", "FunctionType" | "CodeType" | "LambdaType") => {
            Judgement::Code
        }
        ("marshal", _) => Judgement::Harmful,
        _ => Judgement::Known,
    }
}

/// Whether a name in an object is one that only somebody needs who climbs out of it.
pub(super) fn is_odd(text: &[u8]) -> bool {
    let odd = [
        &b"__globals__"[..],
        b"__builtins__",
        b"__subclasses__",
        b"__import__",
        b"__getattribute__",
        b"__code__",
        b"__mro__",
        b"system",
        b"popen",
        b"eval",
        b"exec",
        b"Popen",
        b"check_output",
        b"import_module",
        b"modules",
    ];
    odd.contains(&text)
}

/// Modules of which whatever is called does harm.
const MODULES: &[&str] = &[
    "asyncio.subprocess",
    "concurrent.futures.process",
    "distutils.spawn",
    "http.client",
    "http.server",
    "idlelib.pyshell",
    "logging.config",
    "multiprocessing.util",
    "numpy.f2py.crackfortran",
    "numpy.testing._private.utils",
    "os",
    "torch.hub",
    "torch.utils.collect_env",
    "urllib.request",
    "xmlrpc.client",
    "xmlrpc.server",
];

/// Modules and all that is in them.
const TOPS: &[&str] = &[
    "_aix_support",
    "_bootsubprocess",
    "_ctypes",
    "_frozen_importlib",
    "_imp",
    "_osx_support",
    "_posixsubprocess",
    "_pyrepl",
    "_winapi",
    "aiohttp",
    "antigravity",
    "bdb",
    "cProfile",
    "cgi",
    "cmd",
    "code",
    "codeop",
    "commands",
    "ctypes",
    "dis",
    "doctest",
    "ensurepip",
    "fileinput",
    "ftplib",
    "glob",
    "httplib",
    "httpx",
    "idlelib",
    "imaplib",
    "imp",
    "importlib",
    "lib2to3",
    "linecache",
    "nt",
    "ntpath",
    "nturl2path",
    "paramiko",
    "pdb",
    "pickletools",
    "pip",
    "pkg_resources",
    "pkgutil",
    "platform",
    "poplib",
    "popen2",
    "posix",
    "posixfile",
    "posixpath",
    "profile",
    "pty",
    "py_compile",
    "pydoc",
    "pyexpat",
    "requests",
    "runpy",
    "sched",
    "setuptools",
    "shelve",
    "shutil",
    "signal",
    "site",
    "smtplib",
    "socket",
    "socketserver",
    "sqlite3",
    "ssl",
    "subprocess",
    "sys",
    "tarfile",
    "telnetlib",
    "tempfile",
    "test",
    "this",
    "timeit",
    "trace",
    "turtle",
    "urllib2",
    "urllib3",
    "uu",
    "venv",
    "webbrowser",
    "winreg",
    "zipapp",
    "zipfile",
    "zipimport",
];

/// Single calls of modules that are else usual.
const CALLS: &[(&str, &str)] = &[
    ("_io", "FileIO"),
    ("_io", "open"),
    ("_io", "open_code"),
    ("_pickle", "loads"),
    ("_pickle", "load"),
    ("asyncio", "create_subprocess_shell"),
    ("asyncio", "create_subprocess_exec"),
    ("codecs", "open"),
    ("functools", "reduce"),
    ("io", "FileIO"),
    ("io", "open"),
    ("joblib", "load"),
    ("multiprocessing", "Process"),
    ("multiprocessing.process", "Process"),
    ("numpy", "load"),
    ("pandas", "read_pickle"),
    ("pandas", "eval"),
    ("pandas.io.pickle", "read_pickle"),
    ("pickle", "load"),
    ("pickle", "loads"),
    ("threading", "Thread"),
    ("threading", "Timer"),
    ("torch", "load"),
    ("torch.jit", "load"),
    ("torch.serialization", "load"),
    ("torch._C", "_jit_compile"),
    ("urllib", "urlopen"),
    ("urllib", "urlretrieve"),
    ("yaml", "load"),
    ("yaml", "unsafe_load"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_runs_something_is_told_from_what_rebuilds_data() {
        let harmful = [
            ("os", "system"),
            ("posix", "popen"),
            ("builtins", "exec"),
            ("__builtin__", "eval"),
            ("subprocess", "Popen"),
            ("importlib", "import_module"),
            ("runpy", "_run_code"),
            ("numpy.testing._private.utils", "runstring"),
            ("pip._internal", "main"),
            ("torch", "load"),
            ("collections", "namedtuple.__globals__"),
            ("socket", "create_connection"),
        ];
        for (module, name) in harmful {
            assert_eq!(judge(module, name), Judgement::Harmful, "{module}.{name}");
        }
        let usual = [
            ("numpy.core.multiarray", "_reconstruct"),
            ("numpy", "dtype"),
            ("numpy", "ndarray"),
            ("collections", "OrderedDict"),
            ("torch._utils", "_rebuild_tensor_v2"),
            ("torch", "FloatStorage"),
            ("sklearn.ensemble._forest", "RandomForestClassifier"),
            ("pandas.core.frame", "DataFrame"),
            ("copyreg", "_reconstructor"),
            ("builtins", "set"),
            ("builtins", "bytearray"),
            ("datetime", "datetime"),
            ("_codecs", "encode"),
            ("functools", "partial"),
            ("joblib.numpy_pickle", "NumpyArrayWrapper"),
            ("my.own", "Thing"),
            ("pathlib", "PosixPath"),
            ("enum", "Enum"),
            ("numpy.random", "__RandomState_ctor"),
        ];
        for (module, name) in usual {
            assert_eq!(judge(module, name), Judgement::Known, "{module}.{name}");
        }
    }
}
