package com.lokryn.ducklake.flight;

import com.lokryn.ducklake.access.Identity;
import com.lokryn.ducklake.observe.Counts;
import com.lokryn.ducklake.observe.Limit;
import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.NettyServerBuilder;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollEventLoopGroup;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.net.SocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The clients' connections, of which there may be so many. A connection counts from the first call
 * on that says who makes it; until then it may stay for a short time only, and when there are too
 * many of those the oldest makes room for the next, so that a flood of them keeps nobody out. Calls
 * beyond the limit are refused. Thread-safe.
 */
final class Sockets implements ServerInterceptor, AutoCloseable {
  /** How long a connection may say nothing of who it is of. */
  private static final Duration UNKNOWN = Duration.ofSeconds(20);

  /** How long one may that asks for the server's health, as load balancers do. */
  private static final Duration ASKING = Duration.ofMinutes(2);

  private static final int LEAST_UNKNOWN = 32;

  private static final class Socket {
    private final Channel channel;
    private Instant until;
    private @Nullable String user;
    private boolean isTold;

    Socket(Channel channel, Instant until) {
      this.channel = channel;
      this.until = until;
    }
  }

  private final int most;
  private final InstantSource clock;
  private final Counts<Limit> refusals;
  private final EventLoopGroup boss;
  private final EventLoopGroup workers;

  /** By the client's address; those of whom nobody knows yet are the oldest first. */
  private final Map<SocketAddress, Socket> unknown = new LinkedHashMap<>();

  private final Map<SocketAddress, Socket> known = new HashMap<>();
  private final Map<String, Integer> byUser = new HashMap<>();

  /**
   * @param most how many connections there may be of clients who are known
   */
  Sockets(int most, InstantSource clock, Counts<Limit> refusals) {
    this.refusals = refusals;
    this.most = most;
    this.clock = clock;
    var bossThreads = new DefaultThreadFactory("accept", true);
    var workerThreads = new DefaultThreadFactory("grpc", true);
    boolean isEpoll = Epoll.isAvailable();
    boss =
        isEpoll ? new EpollEventLoopGroup(1, bossThreads) : new NioEventLoopGroup(1, bossThreads);
    workers =
        isEpoll
            ? new EpollEventLoopGroup(0, workerThreads)
            : new NioEventLoopGroup(0, workerThreads);
  }

  /** Has a server accept its connections here. */
  void serve(NettyServerBuilder builder) {
    builder.bossEventLoopGroup(boss).workerEventLoopGroup(workers).channelFactory(this::server);
  }

  private ServerChannel server() {
    ServerChannel channel =
        Epoll.isAvailable() ? new EpollServerSocketChannel() : new NioServerSocketChannel();
    // Before gRPC's own, which makes a transport of what comes.
    channel
        .pipeline()
        .addFirst(
            new ChannelInboundHandlerAdapter() {
              @Override
              public void channelRead(ChannelHandlerContext context, Object accepted) {
                accept((Channel) accepted);
                context.fireChannelRead(accepted);
              }
            });
    return channel;
  }

  private void accept(Channel channel) {
    SocketAddress address = channel.remoteAddress();
    if (address == null) {
      // It has gone already.
      return;
    }
    var socket = new Socket(channel, clock.instant().plus(UNKNOWN));
    Optional<Socket> oldest = add(address, socket);
    oldest.ifPresent(one -> close(one.channel));
    var _ = channel.closeFuture().addListener(_ -> remove(address, socket));
  }

  /** Adds one; returns another that has to go for it. */
  private synchronized Optional<Socket> add(SocketAddress address, Socket socket) {
    unknown.put(address, socket);
    if (unknown.size() <= Math.max(LEAST_UNKNOWN, most / 2)) {
      return Optional.empty();
    }
    SocketAddress first = unknown.keySet().iterator().next();
    return Optional.ofNullable(unknown.remove(first));
  }

  private synchronized void remove(SocketAddress address, Socket socket) {
    unknown.remove(address, socket);
    if (known.remove(address, socket) && socket.user != null) {
      byUser.computeIfPresent(socket.user, (_, count) -> count == 1 ? null : count - 1);
    }
  }

  /** To come after {@link Door}, when it is known whom a call comes from. */
  @Override
  public <Q, A> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
    SocketAddress address = call.getAttributes().get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR);
    if (HealthGrpc.SERVICE_NAME.equals(call.getMethodDescriptor().getServiceName())) {
      asksForHealth(address);
      return next.startCall(call, headers);
    }
    Optional<String> refusal = admit(address, Door.identity());
    if (refusal.isPresent()) {
      refusals.add(Limit.CONNECTIONS);
      call.close(Status.RESOURCE_EXHAUSTED.withDescription(refusal.get()), new Metadata());
      return new ServerCall.Listener<>() {};
    }
    return next.startCall(call, headers);
  }

  private synchronized void asksForHealth(@Nullable SocketAddress address) {
    Socket socket = unknown.get(address);
    if (socket != null) {
      socket.until = clock.instant().plus(ASKING);
    }
  }

  private synchronized Optional<String> admit(@Nullable SocketAddress address, Identity identity) {
    Socket socket = unknown.get(address);
    if (socket == null || address == null) {
      return Optional.empty();
    }
    int ofUser = byUser.getOrDefault(identity.name(), 0);
    if (known.size() >= most) {
      return Optional.of(
          "there are %d connections already (max_connections): close some, or try again later"
              .formatted(most));
    }
    if (ofUser >= mostOfUser()) {
      return Optional.of(
          ("you have %d connections already, and one user may have three quarters of %d"
                  + " (max_connections): close some, or use them for more statements")
              .formatted(ofUser, most));
    }
    unknown.remove(address);
    socket.user = identity.name();
    known.put(address, socket);
    byUser.merge(identity.name(), 1, Integer::sum);
    return Optional.empty();
  }

  private int mostOfUser() {
    return most < 4 ? most : most - most / 4;
  }

  /** Closes those that have not said who they are of; to be called every now and then. */
  void sweep() {
    for (Channel late : late()) {
      close(late);
    }
  }

  /**
   * Tells clients to make a new connection for what they ask next: GOAWAY of HTTP/2. What is open
   * on their own goes on, and it closes with the last of that. The clients of gRPC do so by
   * themselves, and through a load balancer the new one is to another server.
   *
   * @param isFree whether that may be said to the client of an address; asked until it may
   */
  void sendAway(Predicate<SocketAddress> isFree) {
    for (Channel channel : takeUntold(isFree)) {
      // From the tail on, to gRPC's handler: it says so, has the client confirm it, then closes.
      var _ = channel.close();
    }
  }

  private synchronized List<Channel> takeUntold(Predicate<SocketAddress> isFree) {
    var untold = new ArrayList<Channel>();
    for (Map<SocketAddress, Socket> some : List.of(known, unknown)) {
      some.forEach(
          (address, socket) -> {
            if (!socket.isTold && isFree.test(address)) {
              socket.isTold = true;
              untold.add(socket.channel);
            }
          });
    }
    return untold;
  }

  /** From before gRPC's handler on, which would first wait for the other side to say something. */
  private static void close(Channel channel) {
    ChannelHandlerContext first = channel.pipeline().firstContext();
    var _ = first == null ? channel.close() : first.close();
  }

  private synchronized List<Channel> late() {
    Instant now = clock.instant();
    var late = new ArrayList<Channel>();
    for (Socket socket : unknown.values()) {
      if (socket.until.isBefore(now)) {
        late.add(socket.channel);
      }
    }
    return late;
  }

  /** Connections that there are. */
  synchronized int count() {
    return known.size() + unknown.size();
  }

  @Override
  public void close() {
    var _ = boss.shutdownGracefully(0, 100, TimeUnit.MILLISECONDS);
    var _ = workers.shutdownGracefully(0, 100, TimeUnit.MILLISECONDS);
  }
}
