# METADATA
# scope: subpackages
# schemas:
#   - input: schema.finding
package allow.own

is_web if input.server.nam == "web"
