"""A PostgreSQL of the bench's own, which writes as durably as it does by default."""

import glob
import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from pathlib import Path

from .machine import cpu, fail, memory
from .server import free_port


class Postgres:
    """Runs until the end of the block. `url` is what our server takes."""

    def __init__(self):
        programs = sorted(glob.glob("/usr/lib/postgresql/*/bin")) or [os.path.dirname(shutil.which("initdb") or "")]
        self.programs = programs[-1]
        if not self.programs:
            fail("PostgreSQL is not installed: run scripts/setup")
        # It refuses to run as root.
        self.owner = pwd.getpwnam("postgres") if os.geteuid() == 0 else None

    def __enter__(self):
        self.folder = Path(tempfile.mkdtemp())
        secret, port = secrets.token_hex(16), free_port()
        password = self.folder / "password"
        password.touch(mode=0o600)
        password.write_text(secret)
        if self.owner:
            for it in (self.folder, password):
                os.chown(it, self.owner.pw_uid, self.owner.pw_gid)
        self.do("initdb", "--username=agentdrop", "--auth=password", f"--pwfile={password}", "--encoding=UTF8",
                "--no-locale")
        options = f"-c listen_addresses=127.0.0.1 -c unix_socket_directories= -c port={port}"
        self.do("pg_ctl", "start", "--wait", "--silent", "--log", str(self.folder / "log"), "--options", options)
        self.pid = int((self.folder / "data/postmaster.pid").read_text().split()[0])
        self.url = f"postgres://agentdrop:{secret}@127.0.0.1:{port}/postgres"
        return self

    def __exit__(self, *_):
        self.do("pg_ctl", "stop", "--wait", "--silent", "--mode", "fast")
        shutil.rmtree(self.folder)

    def cpu(self):
        return cpu(self.pid)

    def rss_mib(self):
        return memory(self.pid, "VmRSS")

    def do(self, program, *arguments):
        command = [f"{self.programs}/{program}", "--pgdata", str(self.folder / "data"), *arguments]
        options = {"user": self.owner.pw_uid, "group": self.owner.pw_gid} if self.owner else {}
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False,
                              cwd=self.folder, stdin=subprocess.DEVNULL, **options)
        if done.returncode != 0:
            fail(f"{program} ended with {done.returncode}: {done.stderr}")
