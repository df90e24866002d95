"""Other people's servers, as scripts/bench-peers installs them."""

import http.client
import os
import re
import socket
import subprocess
import time

from . import machine
from .machine import TARGET, fail
from .server import await_port, free_port

PEERS = TARGET / "bench/peers"
# What goes in one request of tus, as its clients do it.
PIECE = 8 * 2**20


class Peer:
    """A server in a folder of its own, watched from outside, until the end of the block."""

    def __init__(self, name, program, folder):
        self.name, self.program, self.folder = name, PEERS / program, folder / name
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def missing(self):
        """Why it cannot be measured."""
        if self.program.exists():
            return None
        said = PEERS / f"{self.name}.missing"
        return said.read_text().strip() if said.exists() else "scripts/bench-peers was not run"

    def command(self):
        raise NotImplementedError

    def __enter__(self):
        self.folder.mkdir()
        with (self.folder.parent / f"{self.name}.log").open("wb") as log:
            self.process = subprocess.Popen([str(it) for it in self.command()], cwd=self.folder, stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL)
        await_port(f"127.0.0.1:{self.port}", self.process, self.name)
        time.sleep(1)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def put(self, file):
        machine.run(["curl", "--silent", "--fail", "--upload-file", file, f"{self.url}/up/{file.name}"])

    def get(self, file):
        machine.run(["curl", "--silent", "--fail", "--output", "/dev/null", f"{self.url}/up/{file.name}"])

    def measure(self, doing):
        before, began = machine.cpu(self.process.pid), time.monotonic()
        doing()
        took = time.monotonic() - began
        return {"cpu_s": machine.cpu(self.process.pid) - before, "wall_s": took,
                "peak_mib": machine.memory(self.process.pid, "VmHWM")}


class Nginx(Peer):
    durable = "no fsync"

    def __init__(self, folder):
        super().__init__("nginx", "nginx/usr/sbin/nginx", folder)

    def command(self):
        (self.folder / "up").mkdir()
        user = "user root;" if os.geteuid() == 0 else ""
        temporary = " ".join(f"{it}_temp_path {self.folder}/{it};" for it in ("fastcgi", "uwsgi", "scgi", "proxy"))
        conf = self.folder / "nginx.conf"
        conf.write_text(
            f"{user} daemon off; pid {self.folder}/pid; error_log {self.folder}/error.log; worker_processes 2;"
            f"events {{}} http {{ access_log off; sendfile on; client_max_body_size 0; {temporary}"
            f"client_body_temp_path {self.folder}/body; server {{ listen 127.0.0.1:{self.port};"
            f"location / {{ root {self.folder}; dav_methods PUT; }} }} }}")
        return [self.program, "-c", conf, "-p", self.folder, "-e", self.folder / "error.log"]


class Copyparty(Peer):
    durable = "no fsync"

    def __init__(self, folder):
        super().__init__("copyparty", "copyparty/bin/copyparty", folder)

    def command(self):
        (self.folder / "up").mkdir()
        return [self.program, "-q", "-i", "127.0.0.1", "-p", self.port, "--no-crt", "--hist", self.folder / "hist",
                "-v", f"{self.folder}/up:up:rw"]


class Rustus(Peer):
    def __init__(self, folder, fsync):
        super().__init__("rustus", "bin/rustus", folder / ("fsync" if fsync else "plain"))
        self.durable = "fsync" if fsync else "no fsync"
        self.options = ["--force-fsync", "true"] if fsync else []

    def command(self):
        return [self.program, "--host", "127.0.0.1", "--port", self.port, "--data-dir", self.folder / "data", "--info-dir",
                self.folder / "info", "--max-body-size", 2 * PIECE, "--log-level", "ERROR", *self.options]

    def put(self, file):
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        head = {"Tus-Resumable": "1.0.0"}
        connection.request("POST", "/files/", headers={**head, "Upload-Length": str(file.stat().st_size)})
        answer = connection.getresponse()
        answer.read()
        place = re.sub(r"^https?://[^/]+", "", answer.getheader("Location"))
        offset = 0
        with file.open("rb") as source:
            while piece := source.read(PIECE):
                connection.request("PATCH", place, body=piece, headers={
                    **head, "Content-Type": "application/offset+octet-stream", "Upload-Offset": str(offset)})
                answer = connection.getresponse()
                answer.read()
                if answer.status != 204:
                    fail(f"rustus answered {answer.status}")
                offset += len(piece)


def servers(folder):
    """What measures a file put and fetched."""
    return [Nginx(folder), Copyparty(folder), Rustus(folder, False), Rustus(folder, True)]


def sendme(folder, file):
    """Both ends of sendme, in a network of their own, out of which nothing gets."""
    program = PEERS / "bin/sendme"
    if not program.exists():
        said = PEERS / "sendme.missing"
        return said.read_text().strip() if said.exists() else "scripts/bench-peers was not run"
    if os.geteuid() != 0:
        return "giving it a network of its own needs root"
    there, here = folder / "sendme-from", folder / "sendme-to"
    there.mkdir()
    here.mkdir()
    holder = subprocess.Popen(["unshare", "--net", "sh", "-c", "ip link set lo up && echo up && exec sleep 600"],
                              stdout=subprocess.PIPE)
    try:
        if not holder.stdout.readline():
            return "a network of its own cannot be made here"
        enter = ["nsenter", f"--net=/proc/{holder.pid}/ns/net"]
        common = ["--relay", "disabled", "--no-progress", "--magic-ipv4-addr", "127.0.0.1:0"]
        began = time.monotonic()
        sender = subprocess.Popen([str(it) for it in [*enter, program, "send", file, *common, "--ticket-type", "addresses"]],
                                  cwd=there, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
                                  text=True)
        ticket = next((it.split()[-1] for it in sender.stdout if it.startswith("sendme receive ")), None)
        if not ticket:
            return "it gives no ticket"
        hashed = {"cpu_s": machine.cpu(sender.pid), "wall_s": time.monotonic() - began,
                  "peak_mib": machine.memory(sender.pid, "VmHWM")}
        received = machine.run([*enter, program, "receive", ticket, *common], cwd=here, stderr=subprocess.DEVNULL)
        sent = {"cpu_s": machine.cpu(sender.pid) - hashed["cpu_s"], "peak_mib": machine.memory(sender.pid, "VmHWM")}
        if (here / file.name).stat().st_size != file.stat().st_size:
            return "what came is not what was sent"
        sender.terminate()
        sender.wait()
        return {"sendme, sender, taking the file in": hashed, "sendme, sender, sending": sent,
                "sendme, receiver, with verification": received}
    finally:
        holder.kill()
        holder.wait()


def loopback(mib):
    """What it costs to move as many bytes between two programs at all."""
    listener = socket.create_server(("127.0.0.1", 0))
    child = os.fork()
    if child == 0:
        with socket.create_connection(listener.getsockname()) as connection:
            piece = bytes(2**20)
            for _ in range(mib):
                connection.sendall(piece)
        os._exit(0)
    connection, _ = listener.accept()
    buffer, before, began = bytearray(2**20), time.process_time(), time.monotonic()
    while connection.recv_into(buffer):
        pass
    received, took = time.process_time() - before, time.monotonic() - began
    _, _, used = os.wait4(child, 0)
    return {"cpu_s": used.ru_utime + used.ru_stime + received, "wall_s": took}
