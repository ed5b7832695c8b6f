import { page } from '../../app/page';

export default page({
  path: '/w/:slug/inbox/:feedback',
  access: 'workspace',
  load: () => import('./Detail'),
});
