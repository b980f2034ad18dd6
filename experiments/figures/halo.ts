/** White around letters, so that lines behind them do not cut them. */
const HALO = { stroke: '#FFFFFF', strokeWidth: 2.5, strokeJoin: 'round' } as const;

interface TextLayer {
  readonly mark: { readonly type: 'text' };
}

/** A layer of text with a white rim under it, as two layers. */
export function haloed<L extends TextLayer>(layer: L) {
  return [{ ...layer, mark: { ...layer.mark, ...HALO } }, layer] as const;
}
