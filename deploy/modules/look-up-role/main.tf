locals {
  permissions = jsondecode(file("${path.module}/../../permissions.json"))

  actions = distinct(sort(flatten([
    [for look_up, actions in local.permissions.look_ups : actions if !contains(["false", "never"], tostring(var.look_ups[look_up]))],
    [for scanner in var.sweep_scanners : local.permissions.sweep[scanner]],
  ])))
}

resource "aws_iam_role" "look_ups" {
  name                 = var.name
  description          = "Lets Portcullis read who reaches an open port of this account."
  permissions_boundary = var.permissions_boundary_arn

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { AWS = var.function_role_arn }
      Condition = { StringEquals = { "sts:ExternalId" = var.external_id } }
    }]
  })
}

resource "aws_iam_role_policy" "look_ups" {
  name = "look-ups"
  role = aws_iam_role.look_ups.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "LookUps"
      Effect   = "Allow"
      Action   = local.actions
      Resource = ["*"]
    }]
  })
}
