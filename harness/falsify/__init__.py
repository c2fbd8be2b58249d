"""Falsify: whether a case notices when what it relied on is otherwise.

A plain run notes what the case was told, and which of it the case looked at. Then it runs again, once for each, and is told
something else. A change that no assertion notices is a blind spot of the case.

What can be changed is of two kinds. A *reading* is a fact that the harness gives to a case in Python: an outcome, a state, an
exit, a list of segments, an output. A *call* is one that the program of a case in C makes in the case's body: the
conductor gives it an errno, without the kernel seeing it.
"""
