$ import("/etc/passwd")
