import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.lokryn.ducklake.observe.Logging;
import io.grpc.ManagedChannel;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.NettyChannelBuilder;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Scanner;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.arrow.flight.impl.Flight;
import org.apache.arrow.flight.impl.FlightServiceGrpc;
import org.apache.arrow.flight.sql.impl.FlightSql;

/**
 * Small calls of a client that is compiled, as drivers are: one in Python takes longer for a call
 * than the server. Arguments: host, and ports of servers, which connections go to in turn. A line on
 * standard input is a task: what to call (health; SELECT 1 direct or prepared; prepared-new, which
 * selects another number each time, that the server cannot have kept; or point, which selects one row
 * after the other of a table called points), of how many connections, and for how many seconds, or how
 * many calls of the first one when that is followed by "calls". The answer is a line too: calls a
 * second, or the nanoseconds of each call.
 */
final class SmallCalls {
  private static final String QUERY = "SELECT 1";
  private static final int POINTS = 1_000;
  private static final AtomicLong NUMBERS = new AtomicLong(1);

  /** A connection; used by one thread at a time. */
  private static final class Client {
    private final HealthGrpc.HealthBlockingStub health;
    private final FlightServiceGrpc.FlightServiceBlockingStub flight;

    Client(String host, int port) {
      ManagedChannel channel =
          NettyChannelBuilder.forAddress(host, port).usePlaintext().directExecutor().build();
      health = HealthGrpc.newBlockingStub(channel);
      flight = FlightServiceGrpc.newBlockingStub(channel);
    }

    void call(String what) {
      switch (what) {
        case "health" -> health.check(HealthCheckRequest.getDefaultInstance());
        case "direct" ->
            fetch(FlightSql.CommandStatementQuery.newBuilder().setQuery(QUERY).build());
        case "point" ->
            fetch(
                FlightSql.CommandStatementQuery.newBuilder()
                    .setQuery(
                        "SELECT s FROM points WHERE i = " + NUMBERS.incrementAndGet() % POINTS)
                    .build());
        case "prepared" -> prepared(QUERY);
        case "prepared-new" -> prepared("SELECT " + NUMBERS.incrementAndGet());
        default -> throw new IllegalArgumentException(what);
      }
    }

    private void prepared(String query) {
      var create = FlightSql.ActionCreatePreparedStatementRequest.newBuilder().setQuery(query);
      ByteString handle;
      try {
        handle =
            Any.parseFrom(act("CreatePreparedStatement", create.build()).getFirst().getBody())
                .unpack(FlightSql.ActionCreatePreparedStatementResult.class)
                .getPreparedStatementHandle();
      } catch (InvalidProtocolBufferException e) {
        throw new IllegalStateException(e);
      }
      fetch(
          FlightSql.CommandPreparedStatementQuery.newBuilder()
              .setPreparedStatementHandle(handle)
              .build());
      act(
          "ClosePreparedStatement",
          FlightSql.ActionClosePreparedStatementRequest.newBuilder()
              .setPreparedStatementHandle(handle)
              .build());
    }

    private List<Flight.Result> act(String type, Message body) {
      return all(
          flight.doAction(
              Flight.Action.newBuilder()
                  .setType(type)
                  .setBody(Any.pack(body).toByteString())
                  .build()));
    }

    private void fetch(Message command) {
      Flight.FlightInfo info =
          flight.getFlightInfo(
              Flight.FlightDescriptor.newBuilder()
                  .setType(Flight.FlightDescriptor.DescriptorType.CMD)
                  .setCmd(Any.pack(command).toByteString())
                  .build());
      for (Flight.FlightEndpoint endpoint : info.getEndpointList()) {
        int messages = all(flight.doGet(endpoint.getTicket())).size();
        if (messages < 2) {
          throw new IllegalStateException(messages + " messages, not a schema and a batch");
        }
      }
    }

    private static <T> List<T> all(Iterator<T> messages) {
      var list = new ArrayList<T>();
      messages.forEachRemaining(list::add);
      return list;
    }
  }

  private final List<Client> clients = new ArrayList<>();
  private final ExecutorService threads =
      Executors.newCachedThreadPool(Thread.ofPlatform().daemon().factory());

  public static void main(String[] arguments) throws Exception {
    Logging.configure(false, "error");
    var calls = new SmallCalls();
    var tasks = new Scanner(System.in);
    while (tasks.hasNextLine()) {
      String[] task = tasks.nextLine().split(" ");
      int connections = Integer.parseInt(task[1]);
      while (calls.clients.size() < connections) {
        int server = 1 + calls.clients.size() % (arguments.length - 1);
        var client = new Client(arguments[0], Integer.parseInt(arguments[server]));
        // Logs in: a connection on which nobody has is closed when there are many.
        client.call("direct");
        calls.clients.add(client);
      }
      System.out.println(
          task.length == 4
              ? calls.nanos(task[0], Integer.parseInt(task[2]))
              : calls.perSecond(task[0], connections, Double.parseDouble(task[2])));
    }
  }

  private String nanos(String what, int number) {
    var all = new StringBuilder();
    for (int i = 0; i < number; i++) {
      long begin = System.nanoTime();
      clients.getFirst().call(what);
      all.append(System.nanoTime() - begin).append(' ');
    }
    return all.toString();
  }

  private double perSecond(String what, int connections, double seconds) throws Exception {
    var start = new CyclicBarrier(connections + 1);
    var counts = new ArrayList<Future<Long>>();
    for (Client client : clients.subList(0, connections)) {
      counts.add(
          threads.submit(
              () -> {
                start.await();
                long end = System.nanoTime() + (long) (seconds * 1e9);
                long done = 0;
                for (; System.nanoTime() < end; done++) {
                  client.call(what);
                }
                return done;
              }));
    }
    start.await();
    long begin = System.nanoTime();
    long calls = 0;
    for (Future<Long> count : counts) {
      calls += count.get();
    }
    return calls / ((System.nanoTime() - begin) / 1e9);
  }
}
