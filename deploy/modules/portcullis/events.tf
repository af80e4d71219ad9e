resource "aws_sqs_queue" "undelivered" {
  name                      = "${var.name}-undelivered"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
}

locals {
  absent = merge(
    jsondecode(file("${path.module}/../../absent.json")),
    { trusted_advisor = local.region == "us-east-1" || data.aws_partition.current.partition != "aws" ? [] : [local.region] },
  )
}

resource "aws_cloudwatch_event_rule" "scanner" {
  for_each = var.scanners

  name          = "${var.name}-${replace(each.key, "_", "-")}"
  description   = "Reports of ${each.key} for ${var.name}."
  event_pattern = jsonencode(jsondecode(file("${path.module}/../../patterns/${each.key}.json")))

  lifecycle {
    precondition {
      condition     = contains(var.unchecked_scanners, each.key) || !contains(local.absent[each.key], local.region)
      error_message = "No events of ${each.key} are sent in ${local.region}: take it out of scanners. If another Region sends its events here, or AWS has it here by now, name it in unchecked_scanners."
    }
  }
}

resource "aws_cloudwatch_event_target" "scanner" {
  for_each = var.scanners

  rule      = aws_cloudwatch_event_rule.scanner[each.key].name
  target_id = "events"
  arn       = aws_sqs_queue.input["events"].arn

  dead_letter_config {
    arn = aws_sqs_queue.undelivered.arn
  }

  depends_on = [aws_sqs_queue_policy.rules]
}

locals {
  rule_arns = concat([for rule in aws_cloudwatch_event_rule.scanner : rule.arn], [aws_cloudwatch_event_rule.own.arn])
}

# The queue of the events and that of what EventBridge could not put there.
resource "aws_sqs_queue_policy" "rules" {
  for_each = { events = aws_sqs_queue.input["events"], undelivered = aws_sqs_queue.undelivered }

  queue_url = each.value.url
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Rules"
      Effect    = "Allow"
      Action    = "sqs:SendMessage"
      Principal = { Service = "events.amazonaws.com" }
      Resource  = each.value.arn
      Condition = { ArnEquals = { "aws:SourceArn" = local.rule_arns } }
    }]
  })
}
