"""What `python3 -m harness` can do, a module for each command."""
