"""Cases in C: the glue that they are compiled with, and here how they are found in their source, and run."""
