// The last package of OpenTelemetry's that brings the code for reading; it has no types for it.
import generated from '@opentelemetry/otlp-proto-exporter-base/build/src/generated/root.js';

/** A message of OTLP's protocol buffers, as OpenTelemetry's own generated code has it. */
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

/** The only place where OTLP's JSON differs from that of protocol buffers: ids are in hex, not in Base64. */
const ids = new Set(['traceId', 'spanId', 'parentSpanId']);

/**
 * Reads a request in JSON, writes it as protocol buffers and reads that again. What comes back has only what OTLP knows, as the
 * type that it has there. @throws where a value has a type that it must not have
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

/** What protocol buffers do not tell from nothing. */
export function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpty);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => !(Array.isArray(item) && item.length === 0))
      .map(([key, item]) => [key, withoutEmpty(item)]),
  );
}
