/** First line that the control prints: it has started. */
export const readyLine = 'ready';
