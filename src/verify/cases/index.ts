import type { CaseRunner, CaseRunners } from './operator.ts';

interface Family {
  readonly operators: readonly string[];
  readonly load: () => Promise<{ readonly runners: CaseRunners }>;
}

const names = (text: string): string[] => text.split(' ');

/** The files of this folder; each is loaded when the first of its operators comes up. */
const families: readonly Family[] = [
  {
    operators: names(
      'add sub mul div maximum neg exp log sqrt rsqrt tanh gelu relu sigmoid abs square reciprocal erf clamp',
    ),
    load: () => import('./elementwise.ts'),
  },
  { operators: names('where'), load: () => import('./where.ts') },
  { operators: names('sum mean max logsumexp argmax'), load: () => import('./reductions.ts') },
  { operators: names('softmax log_softmax'), load: () => import('./softmax.ts') },
  { operators: names('matmul linear'), load: () => import('./matmul.ts') },
  { operators: names('conv2d'), load: () => import('./conv2d.ts') },
  { operators: names('max_pool2d avg_pool2d adaptive_avg_pool2d'), load: () => import('./pooling.ts') },
  { operators: names('upsample_bilinear'), load: () => import('./resize.ts') },
  { operators: names('batch_norm'), load: () => import('./batchNorm.ts') },
  {
    operators: names('layer_norm l2_normalize cosine_similarity pairwise_cosine'),
    load: () => import('./normalisation.ts'),
  },
  { operators: names('embedding gather index_select'), load: () => import('./indexing.ts') },
  {
    operators: names('slice cat stack pad permute reshape expand permute_reshape'),
    load: () => import('./shape.ts'),
  },
  { operators: names('cross_entropy'), load: () => import('./crossEntropy.ts') },
  { operators: names('attention'), load: () => import('./attention.ts') },
  { operators: names('adam sgd clip_grad_norm exponential_lr'), load: () => import('./optimizers.ts') },
  { operators: names('bottleneck bert_layer bert_embeddings'), load: () => import('./blocks.ts') },
  { operators: names('pool_sentences'), load: () => import('./poolSentences.ts') },
  { operators: names('global_contrast local_contrast total_loss'), load: () => import('./contrastive.ts') },
  { operators: names('localise'), load: () => import('./localise.ts') },
  { operators: names('resnet'), load: () => import('./resnet.ts') },
  { operators: names('bert'), load: () => import('./bert.ts') },
  { operators: names('train_trace'), load: () => import('./trainTrace.ts') },
];

/** How the operator of a case is run; undefined if the engine does not have it. */
export async function findRunner(op: string): Promise<CaseRunner | undefined> {
  const family = families.find(({ operators }) => operators.includes(op));
  return family && (await family.load()).runners[op];
}
