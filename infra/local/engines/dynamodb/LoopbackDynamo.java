import com.amazonaws.services.dynamodbv2.local.main.ServerRunner;
import com.amazonaws.services.dynamodbv2.local.server.DynamoDBProxyServer;
import java.lang.reflect.Field;
import org.eclipse.jetty.server.Connector;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;

/**
 * DynamoDB Local on 127.0.0.1 only. It has no option for that and would listen on every interface, so the
 * host of its connectors is set before they open. Arguments are DynamoDB Local's own.
 */
final class LoopbackDynamo {
    private LoopbackDynamo() {}

    public static void main(String[] arguments) throws Exception {
        DynamoDBProxyServer proxy = ServerRunner.createServerFromCommandLineArgs(arguments);
        if (bindToLoopback(proxy) == 0) {
            throw new IllegalStateException("this DynamoDB Local has no connector to bind; not starting it on all interfaces");
        }
        proxy.start();
        proxy.join();
    }

    private static int bindToLoopback(DynamoDBProxyServer proxy) throws IllegalAccessException {
        int bound = 0;
        for (Field field : DynamoDBProxyServer.class.getDeclaredFields()) {
            if (!Server.class.isAssignableFrom(field.getType())) {
                continue;
            }
            field.setAccessible(true);
            for (Connector connector : ((Server) field.get(proxy)).getConnectors()) {
                ((ServerConnector) connector).setHost("127.0.0.1");
                bound++;
            }
        }
        return bound;
    }
}
