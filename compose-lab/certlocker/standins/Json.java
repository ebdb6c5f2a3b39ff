import java.util.Iterator;
import java.util.Map;

/** Writes the JSON answers of the stand-ins. There is no parser: the stand-ins read no JSON. */
final class Json {
    private Json() {}

    /** Keys are in the map's order. Values: null, Boolean, Number, String, or Map or Iterable of those. */
    static String of(Object value) {
        if (value == null || value instanceof Boolean || value instanceof Number) return String.valueOf(value);
        StringBuilder out = new StringBuilder();
        if (value instanceof Map<?, ?> map) {
            out.append('{');
            for (Iterator<? extends Map.Entry<?, ?>> it = map.entrySet().iterator(); it.hasNext(); ) {
                Map.Entry<?, ?> entry = it.next();
                out.append(of(entry.getKey().toString())).append(':').append(of(entry.getValue()));
                if (it.hasNext()) out.append(',');
            }
            return out.append('}').toString();
        }
        if (value instanceof Iterable<?> list) {
            out.append('[');
            for (Iterator<?> it = list.iterator(); it.hasNext(); ) {
                out.append(of(it.next()));
                if (it.hasNext()) out.append(',');
            }
            return out.append(']').toString();
        }
        out.append('"');
        for (char c : value.toString().toCharArray()) {
            if (c == '"' || c == '\\') out.append('\\').append(c);
            else if (c < 0x20) out.append(String.format("\\u%04x", (int) c));
            else out.append(c);
        }
        return out.append('"').toString();
    }
}
