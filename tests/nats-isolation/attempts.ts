/** What a hostile node tries that has the credentials of node `b` of version `v1` of runtime `demo`. */

/** Subjects of a version, or a runtime, that are none of the node's business. */
function foreignVersion(runtime: string, version: string): string[] {
  const prefix = `x.${runtime}.${version}`
  return [
    `${prefix}.wf.i`,
    `${prefix}.wf.n.a`,
    `${prefix}.wf.n.b`,
    `${prefix}.wf.n.a.channel`,
    `${prefix}.wf.f.a`,
    `${prefix}.wf.s.a`,
    `${prefix}.wf.s.a.free`,
    `${prefix}.wf.e.a.b`,
    `${prefix}.wf.o.log`,
    `${prefix}.wf.o.document`,
    `${prefix}._v.o.log`,
    ...['announce', 'ping', 'cancel', 'gone', 'drain', 'kept', 'steps', 'sample'].map(
      (verb) => `${prefix}._c.${verb}`,
    ),
    `_INBOX.${runtime}.${version}.wf.a.p.1`,
    `c.${runtime}.e1.t1.${version}.k.0`,
    `$JS.API.DIRECT.GET.CLAIMS_${runtime}_${version}.c.${runtime}.e1.t1.${version}.k.0`,
    `$KV.KV_${runtime}_${version}_wf.k`,
    `$KV.KV_${runtime}_${version}_wf_a.k`,
    `$KV.KV_${runtime}_${version}_wf_b.k`,
    `$JS.API.STREAM.MSG.GET.KV_KV_${runtime}_${version}_wf_a`,
    `$JS.API.DIRECT.GET.KV_KV_${runtime}_${version}_wf_a`,
    `$O.OBJ_${runtime}_${version}_wf_models.C.x`,
    `$JS.API.STREAM.MSG.GET.OBJ_OBJ_${runtime}_${version}_wf_models`,
    `$JS.API.STREAM.PURGE.OBJ_OBJ_${runtime}_${version}_wf_models`,
  ]
}

function foreignRuntime(runtime: string): string[] {
  return [
    `_R.${runtime}.e1.t1`,
    `_INBOX.${runtime}._e.p.1`,
    `kre.metrics.${runtime}`,
    `kre.data.${runtime}.find`,
    `$KV.KV_${runtime}.k`,
    `$JS.API.STREAM.MSG.GET.KV_KV_${runtime}`,
    `$KV.RT_${runtime}.routing`,
    `$JS.API.STREAM.MSG.GET.KV_RT_${runtime}`,
  ]
}

/** Of its own runtime and version, but others'. */
const OWN_BUT_OTHERS = [
  'x.demo.v1.wf.i',
  'x.demo.v1.wf.n.a',
  'x.demo.v1.wf.f.a',
  'x.demo.v1.wf.s.a',
  'x.demo.v1._c.cancel',
  'x.demo.v1._c.ping',
  'x.demo.v1._c.gone',
  'x.demo.v1._c.kept',
  'x.demo.v1._v.o.log',
  '_INBOX.demo.v1.wf.a.p.1',
  '_INBOX.demo._e.p.1',
  '_INBOX.anybody',
  '$KV.KV_demo_v1_wf_a.k',
  '$JS.API.STREAM.MSG.GET.KV_KV_demo_v1_wf_a',
  '$O.OBJ_demo_v1_wf_models.C.x',
  '$JS.API.STREAM.PURGE.OBJ_OBJ_demo_v1_wf_models',
  '$KV.RT_demo.routing',
  '$KV.RT_demo.interface.v1',
  '$JS.API.STREAM.MSG.GET.KV_RT_demo',
]

const ENGINE = ['kre.engine.heartbeat', 'kre.engine.events', 'kre.engine.x', 'kre.anything']

const JETSTREAM = [
  '$JS.API.INFO',
  '$JS.API.STREAM.NAMES',
  '$JS.API.STREAM.LIST',
  '$JS.API.STREAM.INFO.OUT_demo_v1',
  '$JS.API.STREAM.INFO.OUT_demo_v2',
  '$JS.API.STREAM.CREATE.MINE',
  '$JS.API.STREAM.UPDATE.OUT_demo_v1',
  '$JS.API.STREAM.DELETE.OUT_demo_v1',
  '$JS.API.STREAM.PURGE.OUT_demo_v1',
  '$JS.API.STREAM.PURGE.CLAIMS_demo_v1',
  '$JS.API.STREAM.PURGE.OUT_demo_v2',
  '$JS.API.STREAM.PURGE.CLAIMS_demo_v2',
  '$JS.API.STREAM.PURGE.KV_KV_demo',
  '$JS.API.STREAM.MSG.GET.OUT_demo_v1',
  '$JS.API.STREAM.MSG.GET.CLAIMS_demo_v1',
  '$JS.API.STREAM.MSG.DELETE.OUT_demo_v1',
  '$JS.API.STREAM.SNAPSHOT.OUT_demo_v1',
  '$JS.API.STREAM.RESTORE.OUT_demo_v1',
  '$JS.API.DIRECT.GET.CLAIMS_demo_v1',
  '$JS.API.DIRECT.GET.CLAIMS_demo_v1.c.demo.>',
  '$JS.API.DIRECT.GET.CLAIMS_demo_v1.c.demo.e1.t1.*.k.0',
  '$JS.API.DIRECT.GET.OUT_demo_v1',
  '$JS.API.CONSUMER.CREATE.OUT_demo_v1',
  '$JS.API.CONSUMER.CREATE.OUT_demo_v1.mine',
  '$JS.API.CONSUMER.CREATE.KV_KV_demo_v1_wf_b',
  '$JS.API.CONSUMER.CREATE.KV_RT_demo.mine.$KV.RT_demo.routing',
  '$JS.API.CONSUMER.DURABLE.CREATE.OUT_demo_v1.mine',
  '$JS.API.CONSUMER.LIST.OUT_demo_v1',
  '$JS.API.CONSUMER.INFO.OUT_demo_v1.mongo-writer',
  '$JS.API.CONSUMER.DELETE.OUT_demo_v1.mongo-writer',
  '$JS.API.CONSUMER.MSG.NEXT.OUT_demo_v1.mongo-writer',
  '$JS.ACK.OUT_demo_v1.mongo-writer.1.1.1.1.0',
  '$JS.FC.OUT_demo_v1.x.y',
]

const SYSTEM = [
  '$SYS.REQ.SERVER.PING',
  '$SYS.REQ.SERVER.PING.CONNZ',
  '$SYS.REQ.ACCOUNT.PING.CONNZ',
  '$SYS.REQ.USER.INFO',
  '$SYS.REQ.CLAIMS.LIST',
  '$SYS.REQ.CLAIMS.UPDATE',
  '$SYS.REQ.CLAIMS.DELETE',
  '$SYS.REQ.CLAIMS.PACK',
  '$SYS.REQ.ACCOUNT.x.CLAIMS.UPDATE',
  '$SYS._INBOX.x',
]

/** To be published, and asked, each of them. */
export const FOREIGN_SUBJECTS: readonly string[] = [
  ...foreignVersion('demo', 'v2'),
  ...foreignVersion('other', 'v1'),
  ...foreignRuntime('other'),
  ...OWN_BUT_OTHERS,
  ...ENGINE,
  ...JETSTREAM,
  ...SYSTEM,
]

/** To be subscribed to beside those: they would bring what is others'. Subject and queue. */
export const FOREIGN_FILTERS: readonly (readonly [subject: string, queue?: string])[] = [
  ['>'],
  ['*'],
  ['*.>'],
  ['*.*.*.*.*'],
  ['>', 'b'],
  ['$SYS.>'],
  ['$JS.>'],
  ['$JS.API.>'],
  ['$JS.ACK.>'],
  ['$KV.>'],
  ['$O.>'],
  ['c.>'],
  ['c.demo.>'],
  ['c.demo.*.*.v1.>'],
  ['_INBOX.>'],
  ['_INBOX.demo.>'],
  ['_INBOX.demo.v1.>'],
  ['_INBOX.demo.v1.wf.>'],
  ['_INBOX.demo.v1.wf.a.>'],
  ['_R.>'],
  ['_R.demo.>'],
  ['_R.demo.*.*'],
  ['_R_.>'],
  ['x.>'],
  ['x.demo.>'],
  ['x.demo.*.wf.n.a'],
  ['x.demo.v1.>'],
  ['x.demo.v1.*.n.*'],
  ['x.demo.v1.wf.o.*'],
  ['x.demo.v1._c.*'],
  // Its own input, so that other replicas' messages come, too.
  ['x.demo.v1.wf.n.a'],
  ['x.demo.v1.wf.n.a', 'another-queue'],
  ['x.demo.v1.wf.s.b'],
  // Inputs of others, as one of their queue.
  ['x.demo.v1.wf.i', 'a'],
  ['x.demo.v2.wf.i', 'a'],
  ['x.demo.v2.wf.n.a', 'b'],
  ['x.other.v1.wf.i', 'a'],
  ['x.other.v1.wf.n.a', 'b'],
  ['kre.engine.>'],
  ['kre.metrics.*'],
  ['kre.data.*.find'],
  ['kre.data.demo.find'],
]
