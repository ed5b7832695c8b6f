import { page } from '../../app/page';

export default page({ path: '/', access: 'signed-in', load: () => import('./Home') });
