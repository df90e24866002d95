"""One step of the published client: argv is the server, a key, a folder, and what to do."""

import sys
from pathlib import Path

from agentdrop import AgentDrop

server, key, folder, step, *more = sys.argv[1:]
# Its Shield takes a minute and more for five megabytes.
agent = AgentDrop(api_key=key, api_base=server, config_dir=folder, shield=False)
if step == "register":
    agent.register("carol")
elif step == "send":
    to, *files = more
    agent.send(to, files, message="from python")
elif step == "receive":
    into = more[0]
    Path(into).mkdir()
    (waiting,) = agent.inbox()
    agent.download(waiting, output_dir=into)
