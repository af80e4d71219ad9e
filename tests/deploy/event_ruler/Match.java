import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import software.amazon.event.ruler.Ruler;

/** Prints which pattern matches which event: a line for each pair, their paths with a tab between. */
class Match {
  /** Arguments: the pattern files, "--", the event files. */
  public static void main(String[] arguments) throws Exception {
    ObjectMapper json = new ObjectMapper();
    int end = java.util.Arrays.asList(arguments).indexOf("--");
    for (int pattern = 0; pattern < end; pattern++) {
      String rule = json.readTree(Files.readString(Path.of(arguments[pattern]))).toString();
      for (int event = end + 1; event < arguments.length; event++) {
        if (Ruler.matchesRule(Files.readString(Path.of(arguments[event])), rule)) {
          System.out.println(arguments[pattern] + "\t" + arguments[event]);
        }
      }
    }
  }
}
