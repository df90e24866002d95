"""One step of the published client: argv is the server, the account's key, a folder, and what to do."""

import sys
from pathlib import Path

from agentdrop import AgentDrop

server, key, folder, step, *files = sys.argv[1:]
# Its Shield takes a minute and more for five megabytes.
carol = AgentDrop(api_key=key, api_base=server, config_dir=folder, shield=False)
if step == "register":
    carol.register("carol")
elif step == "send":
    carol.send("alice", files, message="from python")
elif step == "receive":
    into = files[0]
    Path(into).mkdir()
    (waiting,) = carol.inbox()
    carol.download(waiting, output_dir=into)
