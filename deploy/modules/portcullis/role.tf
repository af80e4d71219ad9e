locals {
  permissions = jsondecode(file("${path.module}/../../permissions.json"))

  look_up_actions = distinct(sort(flatten([
    for look_up, actions in local.permissions.look_ups : actions if !contains(["false", "never"], tostring(var.look_ups[look_up]))
  ])))

  # The first of the scanners is asked for the accounts of the organization.
  listing_actions = distinct(sort(flatten([
    [for scanner in local.listed : local.permissions.sweep[scanner]],
    [for scanner in slice(local.listed, 0, min(1, length(local.listed))) : "${split("-", scanner)[0]}:ListMembers"],
  ])))

  statements = concat(
    [
      {
        Sid      = "Alerts"
        Effect   = "Allow"
        Action   = ["sns:Publish"]
        Resource = [aws_sns_topic.alerts.arn]
      },
      {
        Sid      = "KeyOfTheAlerts"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource = [local.alert_key_arn]
      },
      {
        Sid      = "Log"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = [for group in aws_cloudwatch_log_group.function : "${group.arn}:*"]
      },
      {
        Sid      = "Queues"
        Effect   = "Allow"
        Action   = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]
        Resource = [for queue in aws_sqs_queue.input : queue.arn]
      },
    ],
    [for table in aws_dynamodb_table.memory : {
      Sid      = "Memory"
      Effect   = "Allow"
      Action   = ["dynamodb:BatchGetItem", "dynamodb:DeleteItem", "dynamodb:DescribeTable", "dynamodb:DescribeTimeToLive", "dynamodb:PutItem", "dynamodb:Scan"]
      Resource = [table.arn]
    }],
    [for table in aws_dynamodb_table.memory : {
      Sid      = "Sweep"
      Effect   = "Allow"
      Action   = ["dynamodb:Query"]
      Resource = [table.arn]
    } if local.sweeps],
    [for key in ["sweep"] : {
      Sid      = "SweepByAccountAndRegion"
      Effect   = "Allow"
      Action   = ["sqs:SendMessage"]
      Resource = [aws_sqs_queue.input[key].arn]
    } if local.sweeps],
    [for actions in [local.listing_actions] : {
      Sid      = "Listings"
      Effect   = "Allow"
      Action   = actions
      Resource = ["*"]
    } if local.sweeps && length(actions) > 0],
    [for scanner in setintersection(var.scanners, ["security_hub"]) : {
      Sid      = "FindingsThatAreOnlyNamed"
      Effect   = "Allow"
      Action   = ["inspector2:ListFindings"]
      Resource = ["*"]
    }],
    [for actions in [local.look_up_actions] : {
      Sid      = "LookUps"
      Effect   = "Allow"
      Action   = actions
      Resource = ["*"]
    } if length(actions) > 0],
    [for role_name in [var.look_ups.role_name] : {
      Sid      = "OtherAccounts"
      Effect   = "Allow"
      Action   = ["sts:AssumeRole"]
      Resource = ["${local.arn}:iam::*:role/${role_name}"]
    } if role_name != ""],
  )
}

resource "aws_iam_role" "function" {
  name                 = "${var.name}-function"
  description          = "What the function ${var.name} may do."
  permissions_boundary = var.permissions_boundary_arn

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "function" {
  name   = "function"
  role   = aws_iam_role.function.name
  policy = jsonencode({ Version = "2012-10-17", Statement = local.statements })
}
