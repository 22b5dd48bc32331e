resource "aws_lb" "this" {
  name                       = var.name
  load_balancer_type         = "network"
  internal                   = !var.internet_facing
  subnets                    = var.load_balancer_subnet_ids
  security_groups            = [aws_security_group.load_balancer.id]
  enable_deletion_protection = var.deletion_protection

  # One task in one zone is enough for clients of all zones.
  enable_cross_zone_load_balancing = true
}

resource "aws_lb_target_group" "flight" {
  name        = var.name
  vpc_id      = var.vpc_id
  target_type = "ip"

  # Not TLS: the listener has ended TLS, or passes it through.
  protocol = "TCP"
  port     = 31337

  # Guesses of passwords are counted by address.
  preserve_client_ip = true

  # grpc-java does not read it.
  proxy_protocol_v2 = false

  # ECS waits for it before it sends SIGTERM; new connections go elsewhere meanwhile. Those that are open live
  # on until the server, which drains then, has sent its clients away.
  deregistration_delay   = 20
  connection_termination = false

  # An open port is not readiness: /readyz looks at engine, catalog, S3, credentials and SIGTERM. A task that
  # stops is seen after 10 s, before drain_delay ends.
  health_check {
    protocol            = "HTTP"
    port                = "8080"
    path                = "/readyz"
    interval            = 5
    timeout             = 4
    healthy_threshold   = 2
    unhealthy_threshold = 2
    matcher             = "200"
  }

  # Otherwise S3 being away for a minute ends all connections.
  target_health_state {
    enable_unhealthy_connection_termination = false
  }

  # A connection stays with its task anyway. This is for clients that use one session or transaction over
  # several connections: those of one address go to one task. TLS listeners cannot do it.
  stickiness {
    enabled = local.pass_through
    type    = "source_ip"
  }
}

resource "aws_lb_listener" "flight" {
  load_balancer_arn = aws_lb.this.arn
  port              = var.listener_port
  protocol          = local.pass_through ? "TCP" : "TLS"
  certificate_arn   = var.certificate_arn
  ssl_policy        = local.pass_through ? null : var.tls_policy

  # gRPC insists on h2 being agreed on in the handshake, and the server speaks nothing else: a client without it
  # is refused there. HTTP2Preferred would let it in, to fail later.
  alpn_policy = local.pass_through ? null : "HTTP2Only"

  # The server pings silent connections each 60 s, so that neither this nor the 350 s of TLS is reached.
  tcp_idle_timeout_seconds = local.pass_through ? var.idle_timeout_seconds : null

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.flight.arn
  }
}
