"""A receiver of callbacks on Flask. The official Python SDK has no validator, so this one does what the
documentation of callback signing describes."""

import base64
import hashlib
import hmac
import json
import logging
import socket
import sys
from threading import Thread

from flask import Flask, jsonify, request
from waitress import serve

application_key, application_secret = sys.argv[1:3]
secret = base64.b64decode(application_secret)
app = Flask(__name__)


def is_authentic():
    body = request.get_data()
    md5 = base64.b64encode(hashlib.md5(body).digest()).decode() if body else ""
    timestamp = request.headers.get("x-timestamp", "")
    content_type = request.headers.get("content-type", "")
    signed = f"{request.method}\n{md5}\n{content_type}\nx-timestamp:{timestamp}\n{request.path}"
    signature = base64.b64encode(hmac.new(secret, signed.encode(), hashlib.sha256).digest()).decode()
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    return scheme.lower() == "application" and hmac.compare_digest(credentials, f"{application_key}:{signature}")


@app.post("/sinch/callback")
def callback():
    if not is_authentic():
        return jsonify(error="not authorized"), 401
    event = request.get_json()
    if event["event"] == "VerificationRequestEvent":
        return jsonify(action="allow")
    return ""


# It warns of each request that waits, as most do here.
logging.getLogger("waitress.queue").setLevel(logging.ERROR)
listener = socket.create_server(("127.0.0.1", 0))
print(json.dumps({"port": listener.getsockname()[1]}), flush=True)
# The parent process stops this program by closing its input.
Thread(target=serve, args=[app], kwargs={"sockets": [listener], "threads": 4}, daemon=True).start()
sys.stdin.read()
