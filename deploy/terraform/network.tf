# Who reaches what. Only the load balancer reaches tasks, and only tasks reach the database.

resource "aws_security_group" "load_balancer" {
  name        = "${var.name}-load-balancer"
  description = "Load balancer"
  vpc_id      = var.vpc_id
}

# The load balancer's security group is the source also where clients' addresses are preserved.
resource "aws_security_group" "task" {
  name        = "${var.name}-task"
  description = "Tasks, for the load balancer only"
  vpc_id      = var.vpc_id
}

resource "aws_security_group" "database" {
  count       = local.new_database ? 1 : 0
  name        = "${var.name}-database"
  description = "Catalog, for tasks only"
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "clients" {
  for_each          = toset(var.client_cidrs)
  security_group_id = aws_security_group.load_balancer.id
  description       = "Clients"
  ip_protocol       = "tcp"
  from_port         = var.listener_port
  to_port           = var.listener_port
  cidr_ipv4         = each.value
}

resource "aws_vpc_security_group_egress_rule" "load_balancer" {
  for_each                     = { flight = 31337, health = 8080 }
  security_group_id            = aws_security_group.load_balancer.id
  description                  = each.key
  ip_protocol                  = "tcp"
  from_port                    = each.value
  to_port                      = each.value
  referenced_security_group_id = aws_security_group.task.id
}

resource "aws_vpc_security_group_ingress_rule" "task" {
  for_each                     = { flight = 31337, health = 8080 }
  security_group_id            = aws_security_group.task.id
  description                  = each.key
  ip_protocol                  = "tcp"
  from_port                    = each.value
  to_port                      = each.value
  referenced_security_group_id = aws_security_group.load_balancer.id
}

resource "aws_vpc_security_group_egress_rule" "task_services" {
  security_group_id = aws_security_group.task.id
  description       = "S3, Secrets Manager, ECR, CloudWatch Logs, AWS Marketplace, identity providers"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = "0.0.0.0/0"
}

resource "aws_vpc_security_group_egress_rule" "task_database" {
  security_group_id            = aws_security_group.task.id
  description                  = "Catalog"
  ip_protocol                  = "tcp"
  from_port                    = local.postgres_port
  to_port                      = local.postgres_port
  referenced_security_group_id = local.database_security_group_id
}

resource "aws_vpc_security_group_ingress_rule" "database" {
  security_group_id            = local.database_security_group_id
  description                  = "Tasks of ${var.name}"
  ip_protocol                  = "tcp"
  from_port                    = local.postgres_port
  to_port                      = local.postgres_port
  referenced_security_group_id = aws_security_group.task.id
}
