import assert from "node:assert/strict";
import { helmTemplate } from "../support/chart.js";

/** What is set, and what helm has to say of it. */
const WRONG: readonly (readonly [string, ...RegExp[]])[] = [
  // The schema's.
  ["frnt.replicas=2", /'frnt' not allowed/],
  ["front.replicas=two", /'\/front\/replicas': got string, want integer/],
  ["front.replicas=-1", /'\/front\/replicas': minimum: got -1, want 0/],
  ["settings.MAX_BATCH=5", /'\/settings': additional properties 'MAX_BATCH' not allowed/],
  ["settings.MAX_BATCH_SIZE=100000", /MAX_BATCH_SIZE': maximum: got 100,000, want 10,000/],
  [
    "settings.DEFAULT_TIER=best",
    /DEFAULT_TIER': value must be one of 'fast', 'balanced', 'accurate'/,
  ],
  ["settings.MEMORY_LIMIT=4 gigs", /MEMORY_LIMIT': '4 gigs' does not match pattern/],
  ["settings.ENABLE_CACHING=yes", /ENABLE_CACHING': got string, want boolean/],
  ["settings.LOG_SAMPLE=2", /LOG_SAMPLE': maximum: got 2, want 1/],
  ["settings.GRPC_PORT=0", /GRPC_PORT': minimum: got 0, want 1/],
  ["gateway.settings.TIMEOUT=5", /'\/gateway\/settings': additional properties 'TIMEOUT'/],
  ["gateway.settings.DRAIN_DELAY=1h", /DRAIN_DELAY': got string, want integer/],
  ["front.service.type=External", /type': value must be one of 'ClusterIP', 'NodePort'/],
  ["front.extraEnv=A=1", /'\/front\/extraEnv': got string, want array/],
  ["front.podDisruptionBudget.maxUnavailable=some", /'some' does not match pattern/],
  ["modelRepository.source=s3", /value must be one of 'image', 'pvc', 'objectStore'/],
  ["triton.gpu.count=0", /'\/triton\/gpu\/count': minimum: got 0, want 1/],
  ["redis.auth.password=p@ss", /'\/redis\/auth\/password': 'p@ss' does not match pattern/],
  ["tracing.samplerArg=5", /samplerArg': maximum: got 5, want 1/],
  // What does not go together.
  ["fullnameOverride=1st", /the name 1st: .*must begin with a letter/],
  ["settings.TLS_CERT=/x,tls.existingSecret=a", /settings\.TLS_CERT: other values/],
  [
    "settings.REDIS_URL=redis://x,redis.externalUrlSecret.name=a",
    /settings\.REDIS_URL: other values/,
  ],
  ["settings.JWT_JWKS=https://x", /JWT_JWKS: needs settings\.JWT_ISSUER/],
  ["settings.HTTP_PORT=50051", /settings\.HTTP_PORT: must not be that of settings\.GRPC_PORT/],
  ["settings.BACKEND=triton", /set triton\.enabled, or settings\.TRITON_URL/],
  ["settings.BACKEND=embedded,triton.enabled=true", /nothing would use Triton/],
  ["tls.certManager.enabled=true", /issuerRef\.name: must be set/],
  ["tls.clientAuth.enabled=true", /clientAuth\.enabled: needs tls\.existingSecret/],
  ["tls.clientAuth.enabled=true,tls.existingSecret=a", /clientSecret: the bridge/],
  ["gateway.tls.enabled=true", /gateway\.tls\.existingSecret: must be set/],
  [
    "networkPolicy.enabled=true,networkPolicy.callers[0].podSelector.a=b,monitoring.monitors.enabled=true",
    /networkPolicy\.monitoring: must be set/,
  ],
  ["auth.apiKeys.content=a,auth.apiKeys.existingSecret=b", /auth\.apiKeys: has content and/],
  ["modelRepository.source=pvc", /pvc\.claimName: must be set/],
  ["modelRepository.source=objectStore", /objectStore\.path: must be set/],
  [
    "modelRepository.source=pvc,modelRepository.pvc.claimName=a,triton.enabled=true,triton.gpu.enabled=true",
    /triton\.modelConfigName: must be set/,
  ],
  ["redis.externalUrl=redis://x,redis.externalUrlSecret.name=a", /only one of them can be/],
  ["redis.enabled=true", /set redis\.auth\.password/],
  ["front.autoscaling.minReplicas=11", /front\.autoscaling\.minReplicas: must not be over/],
  ["triton.enabled=true,triton.autoscaling.enabled=true", /nothing to scale by/],
  ["front.autoscaling.queueTime.by=keda", /monitoring\.prometheusUrl: must be set/],
  ["front.autoscaling.queueTime.by=keda", /queueTime: needs monitoring\.monitors\.enabled/],
  ["front.podDisruptionBudget.maxUnavailable=", /set maxUnavailable or minAvailable/],
  ["front.terminationGracePeriodSeconds=30", /is 30, and its drain may take 50/],
  ["gateway.terminationGracePeriodSeconds=30", /is 30, and its drain may take 40/],
  ["front.terminationGracePeriodSeconds=50,settings.REQUEST_TIMEOUT=31", /may take 51/],
  ["front.ingress.enabled=true", /front\.ingress\.hosts: must have one/],
  ["gateway.httpRoute.enabled=true", /gateway\.httpRoute\.parentRefs: must name a Gateway/],
  [
    "gateway.enabled=false,gateway.ingress.enabled=true,gateway.ingress.hosts={a}",
    /needs gateway\.enabled/,
  ],
  // All at once.
  ["front.replicas=two,settings.MAX_BATCH=5", /\/front\/replicas/, /'MAX_BATCH'/],
  ["redis.enabled=true,front.ingress.enabled=true", /redis\.enabled:/, /front\.ingress\.hosts:/],
];

describe("the Helm chart refuses", function () {
  this.timeout(60_000);

  for (const [set, ...said] of WRONG)
    it(set, async () => {
      const refused = await helmTemplate("a", ["--set", set]).then(
        () => "nothing",
        (error: unknown) => String(error),
      );
      for (const words of said) assert.match(refused, words);
    });

  it("a release whose name no Service can begin with", async () => {
    await assert.rejects(helmTemplate("1a"), /the name 1a-sentiment-analyzer-pro: /);
    assert.ok(await helmTemplate("1a", ["--set", "fullnameOverride=a1"]));
  });
});
