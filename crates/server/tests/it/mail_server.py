"""A mail server that takes mails after STARTTLS and a password, and says what it took.

It is told its port, certificate and key; it writes `ready`, and then of each mail one line of JSON.
"""

import asyncio
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

PORT, CERTIFICATE, KEY = int(sys.argv[1]), sys.argv[2], sys.argv[3]


def say(it):
    print(it if isinstance(it, str) else json.dumps(it), flush=True)


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("refused"):
            return "550 5.1.1 <%s> is nobody here" % address
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        say(
            {
                "from": envelope.mail_from,
                "to": envelope.rcpt_tos,
                "tls": session.ssl is not None,
                "login": session.auth_data.login.decode(),
                "raw": envelope.content.decode(),
            }
        )
        return "250 OK"


def authenticate(server, session, envelope, mechanism, data):
    good = (
        isinstance(data, LoginPassword)
        and data.login == b"drop"
        and data.password == b"s3cret@:/"
    )
    return AuthResult(success=good, auth_data=data if good else None)


async def main():
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATE, KEY)
    factory = lambda: SMTP(
        Handler(),
        hostname="mail.test",
        tls_context=context,
        require_starttls=True,
        authenticator=authenticate,
        auth_required=True,
    )
    server = await asyncio.get_running_loop().create_server(factory, "127.0.0.1", PORT)
    say("ready")
    async with server:
        await server.serve_forever()


asyncio.run(main())
