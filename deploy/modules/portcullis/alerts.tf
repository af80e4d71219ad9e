locals {
  alert_key_arn = var.alert_key != null ? var.alert_key.arn : aws_kms_key.alerts[0].arn
}

resource "aws_kms_key" "alerts" {
  count = var.alert_key == null ? 1 : 0

  description         = "The alerts of ${var.name}"
  enable_key_rotation = true

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "ByIamPolicies"
      Effect    = "Allow"
      Action    = "kms:*"
      Principal = { AWS = "${local.arn}:iam::${local.account}:root" }
      Resource  = "*"
    }]
  })
}

resource "aws_kms_alias" "alerts" {
  count = var.alert_key == null ? 1 : 0

  name          = "alias/${var.name}-alerts"
  target_key_id = aws_kms_key.alerts[0].key_id
}

resource "aws_sns_topic" "alerts" {
  name              = "${var.name}-alerts"
  kms_master_key_id = local.alert_key_arn
}

resource "aws_sns_topic_subscription" "alerts" {
  for_each = var.subscriptions

  topic_arn              = aws_sns_topic.alerts.arn
  protocol               = each.value.protocol
  endpoint               = each.value.endpoint
  endpoint_auto_confirms = each.value.protocol == "https" ? false : null

  # A list that had to be cut ends in "more".
  filter_policy = jsonencode(merge(
    { canary = [{ exists = false }] },
    length(each.value.teams) > 0 ? { team = concat(each.value.teams, ["more"]) } : {},
    length(each.value.severities) > 0 ? { severity = concat(each.value.severities, ["more"]) } : {},
  ))
}
