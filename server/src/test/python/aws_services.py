"""S3 and Secrets Manager on a free port of this machine, which is printed; ends with standard input."""

import logging
import sys

from moto.server import ThreadedMotoServer

# A line for each request would hide what the tests have to say.
logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
server.stop()
