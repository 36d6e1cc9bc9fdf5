/**
 * Has the page's files kept for use without a network, and waits until they are; where a browser cannot or may not (private
 * windows), the page works without.
 */
export async function keepForOffline(): Promise<void> {
  if (!('serviceWorker' in navigator)) return;
  try {
    await navigator.serviceWorker.register('./serviceWorker.js');
    await navigator.serviceWorker.ready;
  } catch (error) {
    console.info('The page is not kept for use without a network:', error);
  }
}
