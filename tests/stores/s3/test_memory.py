"""What an upload takes of the computer does not depend on how large the recording is."""

import json
import subprocess
import sys

from tests.stores.s3.conftest import Bucket
from tests.stores.s3.sending import MIB


def test_a_large_object_takes_less_than_100_mb(bucket: Bucket) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tests.stores.s3.sends_much", bucket.server.endpoint),
            *(bucket.name, str(bucket.address.ca_file), str(160 * MIB), "1"),
        ],
        capture_output=True,
        check=True,
        timeout=100,
    )
    assert json.loads(done.stdout)["resident_mib"] < 100
