"""What a case speaks with: the lab, its hosts, wires and processes, and the moments and packets that it names to them."""
