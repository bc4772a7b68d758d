import subprocess
import sys

from seatswitch.shell.orphans import end_orphans


def test_media_workers_left_on_a_socket_are_ended_and_others_are_not(tmp_path: object) -> None:
    sleeps = [sys.executable, "-c", "import time; time.sleep(60)", "media-worker", "--link"]
    ours = subprocess.Popen([*sleeps, f"{tmp_path}/media.sock"])
    others = subprocess.Popen([*sleeps, f"{tmp_path}/other.sock"])
    try:
        assert end_orphans(f"{tmp_path}/media.sock") == 1
        assert ours.wait(5) != 0
        assert others.poll() is None
    finally:
        others.kill()
        others.wait(5)
