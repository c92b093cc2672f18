import { type Channel, createClient, Metadata } from "nice-grpc";
import messages from "nice-grpc-server-reflection/lib/proto/grpc/reflection/v1/reflection_pb.js";
import { type REFLECTIONS, reflectionDefinition } from "../../server/rpc/reflection.js";

/** The names of the services, and the files that the symbols are in. */
export async function reflected(
  name: (typeof REFLECTIONS)[number],
  channel: Channel,
  symbols: readonly string[],
  metadata = Metadata(),
): Promise<readonly string[]> {
  async function* requests() {
    yield new messages.ServerReflectionRequest().setListServices("");
    for (const symbol of symbols)
      yield new messages.ServerReflectionRequest().setFileContainingSymbol(symbol);
  }
  const replies: string[] = [];
  const reflection = createClient(reflectionDefinition(name), channel);
  for await (const reply of reflection.serverReflectionInfo(requests(), { metadata })) {
    const services = reply.getListServicesResponse()?.getServiceList() ?? [];
    const files = reply.getFileDescriptorResponse()?.getFileDescriptorProtoList_asU8() ?? [];
    replies.push(...services.map((service) => service.getName()));
    replies.push(...files.map((file) => Buffer.from(file).toString("latin1")));
  }
  return replies;
}
