"""What an upload takes of the computer does not depend on how large the recording is."""

import json
import subprocess
import sys
import threading

from recorder_sync.stores import s3_sums
from recorder_sync.stores.s3_multipart import Lanes
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


def test_parts_of_a_huge_object_are_fewer_at_a_time() -> None:
    lanes, taken = Lanes(4), []
    huge = s3_sums.part_size(200 << 30)

    def take() -> None:
        taken.append(lanes.room(huge))

    assert huge > 2 * s3_sums.PART
    first = lanes.room(huge)
    waiting = threading.Thread(target=take)
    waiting.start()
    waiting.join(0.05)
    assert not taken, "two of them would take more than four usual ones"
    lanes.leave(first)
    waiting.join()
    assert [len(one) for one in taken] == [huge]
    lanes.close()
