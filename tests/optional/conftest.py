def pytest_ignore_collect(collection_path, config):
    """These tests run only when they are asked for by name: what they need is not in requirements.txt."""
    return None if any("optional" in argument for argument in config.args) else True
