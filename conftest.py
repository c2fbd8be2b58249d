"""Everything pytest needs to run cases is in the plugin."""

pytest_plugins = ["harness.plugin"]
