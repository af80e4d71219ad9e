package allow
