$ io.open("/etc/passwd")
