# Helpers of the team's own, which allowances and prohibitions use.
package lib.roles

web_roles := {"web", "www"}

is_web(server) if server.tags.Role in web_roles

is_bastion if input.server.tags.Role == "bastion"
