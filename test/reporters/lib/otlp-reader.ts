// The last OpenTelemetry package that includes the decoder; it has no types for it.
import generated from '@opentelemetry/otlp-proto-exporter-base/build/src/generated/root.js';

/** A message type of OTLP's protocol buffers in OpenTelemetry's generated code. */
interface MessageType {
  fromObject(object: unknown): object;
  verify(message: object): string | null;
  encode(message: object): { finish(): Uint8Array };
  decode(bytes: Uint8Array): object;
  toObject(message: object, options: object): Record<string, unknown>;
}

interface Generated {
  readonly opentelemetry: {
    readonly proto: {
      readonly collector: {
        readonly trace: { readonly v1: { readonly ExportTraceServiceRequest: MessageType } };
      };
    };
  };
}

const { opentelemetry } = generated as unknown as Generated;
const { ExportTraceServiceRequest } = opentelemetry.proto.collector.trace.v1;

/** Ids are the only difference of OTLP's JSON to protocol buffers' JSON: hex instead of Base64. */
const ids = new Set(['traceId', 'spanId', 'parentSpanId']);

/**
 * Converts a JSON request to protocol buffers and back. The result has only fields of OTLP, with their OTLP types.
 * @throws Error if a value has a wrong type
 */
export function throughProtobuf(request: unknown): unknown {
  const message = ExportTraceServiceRequest.fromObject(withIds(request, (hex) => Buffer.from(hex, 'hex')));
  const wrong = ExportTraceServiceRequest.verify(message);
  if (wrong !== null) throw new Error(wrong);
  const again = ExportTraceServiceRequest.decode(ExportTraceServiceRequest.encode(message).finish());
  const read = ExportTraceServiceRequest.toObject(again, { longs: String, enums: Number });
  return withIds(read, (bytes) => Buffer.from(bytes).toString('hex'));
}

function withIds(value: unknown, change: (id: never) => unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => withIds(item, change));
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      ids.has(key) ? change(item as never) : withIds(item, change),
    ]),
  );
}

/** Drops empty arrays, which protocol buffers do not distinguish from absent fields. */
export function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpty);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => !(Array.isArray(item) && item.length === 0))
      .map(([key, item]) => [key, withoutEmpty(item)]),
  );
}
