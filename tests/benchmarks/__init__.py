"""What the product costs, each figure beside what cannot be undercut: `make bench`, `make bench NAME=drain`."""
