#!/usr/bin/env python3
"""The include check finds what it is there to find, and nothing else."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "check_includes.py"


class CheckIncludesTest(unittest.TestCase):
    def check(self, name, text):
        with tempfile.TemporaryDirectory() as root:
            path = pathlib.Path(root, name)
            path.parent.mkdir(parents=True)
            path.write_text(text)
            done = subprocess.run([sys.executable, str(SCRIPT), root], capture_output=True,
                                  text=True, check=False)
            return done.returncode, done.stdout

    def assert_accepted(self, name, text):
        self.assertEqual(self.check(name, text), (0, ""))

    def assert_refused(self, name, text, reason):
        code, output = self.check(name, text)
        self.assertEqual(code, 1)
        self.assertIn(reason, output)
        self.assertIn(f"{name}:1:", output)

    def test_downward_edges_are_fine(self):
        self.assert_accepted("commands/get.cpp", '#include "storage/table.h"\n')
        self.assert_accepted("cluster/bus.h", '#include "net/stream.h"\n')
        self.assert_accepted("server/main.cpp", '#include "cluster/bus.h"\n')

    def test_a_folder_includes_itself(self):
        self.assert_accepted("base/a.cpp", '#include <string>\n#include "base/a.h"\n')

    def test_upward_edges_are_refused(self):
        self.assert_refused("storage/table.h", '#include "commands/registry.h"\n',
                            "storage/ must not include")
        self.assert_refused("base/a.h", '  #  include "net/stream.h"\n', "base/ must not include")

    def test_sideways_edges_are_refused(self):
        self.assert_refused("persistence/rdb.cpp", '#include "protocol/reply.h"\n',
                            "persistence/ must not include")
        self.assert_refused("commands/get.cpp", '#include "net/stream.h"\n',
                            "commands/ must not include")

    def test_folders_below_count_as_their_folder(self):
        self.assert_refused("commands/scripting/lua.cpp", '#include "server/config.h"\n',
                            "commands/ must not include")

    def test_tests_are_nobodys_dependency(self):
        self.assert_refused("server/a.cpp", '#include "tests/support/a.h"\n',
                            "server/ must not include")

    def test_includes_are_named_from_the_root(self):
        self.assert_refused("base/a.cpp", '#include "a.h"\n', "not named from the project root")
        self.assert_refused("base/a.cpp", '#include "../net/a.h"\n',
                            "not named from the project root")

    def test_angle_brackets_do_not_hide_an_edge(self):
        self.assert_refused("base/a.cpp", "#include <net/stream.h>\n", "write it in quotes")

    def test_sockets_stay_in_their_folders(self):
        self.assert_accepted("net/stream.h", "#include <boost/asio/ip/tcp.hpp>\n")
        self.assert_refused("storage/shard.cpp", "#include <boost/asio.hpp>\n",
                            "must not know sockets")

    def test_third_party_is_not_ours(self):
        self.assert_accepted("storage/a.cpp", '#include "absl/strings/str_cat.h"\n')

    def test_nothing_is_checked_in_comments(self):
        self.assert_accepted("base/a.h", '// #include "net/stream.h"\n')


if __name__ == "__main__":
    unittest.main()
