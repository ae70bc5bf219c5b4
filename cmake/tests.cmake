# Black-box tests: each a command that exits 0; the binary under test is handed over in BOXAGNTS.
