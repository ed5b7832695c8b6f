import { expect, test } from 'vitest';
import { routeOf } from './routes';

test.each([
  ['/login', '/login'],
  ['/w/demo', '/w/:slug'],
  ['/w/demo/inbox/feedback_1', '/w/:slug/inbox/:feedback'],
])('%s is a page of %s', (path, pattern) => {
  expect(routeOf(path)?.path).toBe(pattern);
});

test('what is no page loads none', () => {
  expect(routeOf('/w/demo/nothing')).toBeUndefined();
});
