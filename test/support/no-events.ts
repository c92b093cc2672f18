/** For whatever a test has no eye for: tells nobody. */
export const NO_EVENTS = {
  ran: () => {},
  waited: () => {},
  shed: () => {},
  read: () => {},
  decided: () => {},
  answered: () => {},
  failed: () => {},
  method: () => ({ began: () => {}, ended: () => {} }),
};
