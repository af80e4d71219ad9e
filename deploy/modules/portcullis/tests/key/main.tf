# A key that is made together with what it encrypts.

resource "aws_kms_key" "alerts" {
  description = "The alerts, by a policy of another team."
}

module "portcullis" {
  source = "../.."

  image_uri           = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/portcullis@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
  alert_key           = { arn = aws_kms_key.alerts.arn }
  alarm_subscriptions = { on_call = { protocol = "email", endpoint = "on-call@example.com" } }
}
