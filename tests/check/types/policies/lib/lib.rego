package lib.deep

is_web if input.server.plattform == "web"
