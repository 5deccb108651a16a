"""The portal's settings for a test run, which has a data folder of its own that goes with it."""

import atexit
import os
import shutil
import tempfile

if "PORTAL_DATA_DIR" not in os.environ:
    folder = tempfile.mkdtemp(prefix="portal-tests-")
    os.environ["PORTAL_DATA_DIR"] = folder
    owner = os.getpid()
    atexit.register(lambda: os.getpid() == owner and shutil.rmtree(folder, ignore_errors=True))

from portal.settings import *  # noqa: F403
