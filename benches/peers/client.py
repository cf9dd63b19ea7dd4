"""The official Python client as a user writes it: runs whole SMS flows, as many as each line on standard input
says, against the service whose address is the first argument."""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import urllib3
from sinch import SinchClient
from sinch.domains.verification.models import VerificationIdentity

# As many connections as the SDK keeps open.
AT_ONCE = 10

url, application_key, application_secret = sys.argv[1:4]
host = url.removeprefix("http://")
sinch = SinchClient(application_key=application_key, application_secret=application_secret)
sinch.configuration.verification_origin = host
sinch.configuration.disable_https = True
# Reading the inbox is not part of the measured client; this is what the SDK sends with too.
inboxes = urllib3.HTTPConnectionPool(*host.split(":"), maxsize=AT_ONCE)


def inbox(number):
    return inboxes.request("GET", f"/_emu/numbers/{quote(number)}/messages").json()["messages"]


def flow(number):
    verifications = sinch.verification.verifications
    started = verifications.start_sms(identity=VerificationIdentity(type="number", endpoint=number))
    code = inbox(number)[0]["code"]
    report = verifications.report_sms_by_id(id=started.id, code=code)
    if report.status != "SUCCESSFUL":
        raise RuntimeError(f"the code did not verify the number: {report.status}")


def main():
    print("{}", flush=True)
    with ThreadPoolExecutor(AT_ONCE) as threads:
        for line in sys.stdin:
            what, count, series, first = line.split()
            if what != "flows":
                raise ValueError(f"the official client does not understand {line}")
            numbers = (f"+8613{series}{n:08}" for n in range(int(first), int(first) + int(count)))
            begun = time.perf_counter()
            for _ in threads.map(flow, numbers):
                pass
            print(json.dumps({"seconds": time.perf_counter() - begun}), flush=True)


main()
