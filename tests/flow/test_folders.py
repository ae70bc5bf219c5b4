#!/usr/bin/env python3
"""Folders of a tool beside the root: map_dirs, read-only and writable, and work_dir; by settings, also while the server runs."""
import json
import os
import sys
import unittest
from unittest import mock

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from boxagnts import Server, Workspace  # noqa: E402

CAN_UNWIRE = os.environ.get("BX_CAN_UNWIRE") in ("1", "ON")


class Folders(unittest.TestCase):
    def setUp(self):
        self.workspace = Workspace(files={"inside.txt": "of the root\n", "part/inside.txt": "of the part\n"})
        self.addCleanup(self.workspace.close)
        self.other = os.path.join(self.workspace.folder, "other")
        os.makedirs(self.other)
        with open(os.path.join(self.other, "kept.txt"), "w") as file:
            file.write("of the other\n")
        self.server = Server(self.workspace)
        self.addCleanup(self.server.end)

    def settings(self, **limits):
        path = os.path.join(self.workspace.state, "settings.json")
        with open(path + ".new", "w") as file:
            json.dump({"limits": limits}, file)
        os.rename(path + ".new", path)

    def problem(self):
        return self.server.call("GET", "/tools")[1]["settings_problem"]

    def call(self, tool, **input):
        status, result = self.server.call("POST", f"/tools/{tool}/run", {"input": input})
        self.assertEqual(status, 200)
        return result

    def read(self, path):
        return self.call("read", file_path=path)

    def assert_reads(self, path, text):
        result = self.read(path)
        self.assertEqual((result["is_error"], result["limit"]), (False, None), result)
        self.assertIn(text, result["content"])

    def assert_writes(self, path, host_path):
        result = self.call("write", file_path=path, content="written\n")
        self.assertFalse(result["is_error"], result)
        with open(host_path) as file:
            self.assertEqual(file.read(), "written\n")

    def test_map_dirs(self):
        new, outside = os.path.join(self.other, "new.txt"), os.path.join(self.other, "kept.txt")
        self.assertTrue(self.read("/data/kept.txt")["is_error"])
        os.symlink(self.other, os.path.join(self.workspace.root, "link"))
        refused = self.read("/link/kept.txt")
        self.assertEqual((refused["limit"], refused.get("denied", {}).get("setting")), ("path", "map_dirs"), refused)
        self.settings(**{"*": {"map_dirs": [self.other + ":/data:ro"]}})
        self.assert_reads("/data/kept.txt", "of the other")
        self.assert_reads(outside, "of the other")  # a path of the machine becomes the tool's
        self.assert_reads("/inside.txt", "of the root")
        self.assertTrue(self.call("write", file_path="/data/new.txt", content="x")["is_error"])
        self.assertIn("of the other", self.call("bash", command="cat /data/kept.txt; touch /data/by-bash")["content"])
        self.assertEqual(os.listdir(self.other), ["kept.txt"])
        self.settings(**{"*": {"map_dirs": [self.other + ":/data"]}})
        self.assert_writes("/data/new.txt", new)
        self.call("bash", command="echo more >>/data/new.txt")
        with open(new) as file:
            self.assertEqual(file.read(), "written\nmore\n")
        self.settings(read={"map_dirs": [self.other + ":/data"]})  # for one tool
        self.assert_reads("/data/new.txt", "more")
        self.assertIn("No such file", self.call("bash", command="cat /data/new.txt")["content"])
        self.settings()
        self.assertTrue(self.read("/data/kept.txt")["is_error"])

    def test_work_dir(self):
        self.settings(read={"work_dir": "part"}, write={"work_dir": self.other})
        self.assert_reads("/inside.txt", "of the part")
        self.assert_writes("/new.txt", os.path.join(self.other, "new.txt"))
        self.assertIn("of the root", self.call("bash", command="cat /inside.txt")["content"])
        self.settings()
        self.assert_reads("/inside.txt", "of the root")

    def swapped(self, unwire):
        """The folder that a setting names lies in the root; a tool that may write there puts a link out of it in its place."""
        self.server.end()
        with mock.patch.dict(os.environ, {"BX_UNWIRE": unwire}):
            self.server = Server(self.workspace)
        self.addCleanup(self.server.end)
        part = os.path.join(self.workspace.root, "part")
        self.settings(read={"work_dir": "part"}, grep={"map_dirs": [part + ":/data"]})
        self.assert_reads("/inside.txt", "of the part")
        self.assertIn("inside.txt", self.call("grep", pattern="of the", path="/data")["content"])
        moved = self.call("bash", command="mv /part /gone; ln -s ../../other /part")
        self.assertFalse(moved["is_error"], moved)
        self.assertTrue(os.path.samefile(part, self.other))
        return [self.server.call("POST", f"/tools/{tool}/run", {"input": input})
                for tool, input in (("read", {"file_path": "/kept.txt"}), ("grep", {"pattern": "of the other", "path": "/data"}))]

    def test_a_link_in_place_of_a_folder(self):
        for answer in self.swapped(""):
            self.assertIn("is a link that leads out of", json.dumps(answer))
            self.assertNotIn("kept.txt", json.dumps(answer))

    @unittest.skipUnless(CAN_UNWIRE, "this build cannot switch controls off")
    def test_a_link_that_is_followed(self):
        (_, read), (_, grep) = self.swapped("mount_links")
        self.assertIn("of the other", read["content"])
        self.assertIn("kept.txt", grep["content"])

    def test_what_is_refused(self):
        self.settings(read={"map_dirs": [self.other + ":/data:ro"]})
        self.assert_reads("/data/kept.txt", "of the other")
        for wrong, says in (({"map_dirs": [self.workspace.state + ":/state"]}, "tools must not see"),
                            ({"map_dirs": [self.workspace.folder + ":/up"]}, "tools must not see"),
                            ({"work_dir": self.workspace.state}, "tools must not see"),
                            ({"map_dirs": [self.other + ":data"]}, "HOST:GUEST"),
                            ({"map_dirs": [self.other + ":/"]}, "work_dir"),
                            ({"map_dirs": [self.other + "/none:/data"]}, "there is no folder")):
            self.settings(read=wrong)
            self.assertIn(says, self.problem() or "", wrong)
            self.assert_reads("/data/kept.txt", "of the other")  # what was there before stays in force


if __name__ == "__main__":
    unittest.main(verbosity=2)
